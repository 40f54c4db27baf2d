/** Loads a client, which is an optional peer: who does not use its connector, or brings another client, need not have it. */

/** @param packages With spaces between them. @throws what `refusal` makes, which says what to install. */
export async function loadPackage<T>(
  subpath: string,
  packages: string,
  load: () => Promise<T>,
  refusal: (text: string, cause: unknown) => Error,
): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const names = packages.split(' ')
    const which = names.length === 1 ? `the package ${packages}` : `the packages ${names.join(' and ')}`
    throw refusal(
      `${subpath} talks to the server with ${which}, which cannot be loaded: npm install ${packages}`,
      error,
    )
  }
}
