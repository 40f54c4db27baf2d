import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

export default defineConfig({
  resolve: {
    // The package's own name means its sources, as in tsconfig.json, so that a unit test needs no build.
    alias: [
      { find: /^sluice$/, replacement: path('src/index.ts') },
      { find: /^sluice\/([^/.]+)$/, replacement: path('src/$1/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    // About a fifth faster than forks, still with fresh modules for each file.
    pool: 'threads',
    // Many tests wait for servers and programs. At work a core is left for whoever works.
    ...(process.env['CI'] && { maxWorkers: '100%' }),
    // Only what hangs runs into them, on a busy machine too: an example that is run has two minutes.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    setupFiles: [path('test/support/seeds.ts'), ...(process.env['WEATHER'] ? [path('test/support/weather.ts')] : [])],
    // The same random cases each time; SLUICE_SEED=any npm test looks at others, SLUICE_SEED=<number> at those again.
    env: { SLUICE_SEED: process.env['SLUICE_SEED'] ?? '1' },
    // CI counts the tests of every run.
    reporters: process.env['VITEST_JSON'] ? ['default', 'json'] : ['default'],
    outputFile: { json: process.env['VITEST_JSON'] ?? '' },
    coverage: {
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
    },
  },
})
