/** The seed of properties that name none, as `SLUICE_SEED` is that of simulations. */

import fc from 'fast-check'

const seed = Number(process.env['SLUICE_SEED'])
if (Number.isSafeInteger(seed)) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })
