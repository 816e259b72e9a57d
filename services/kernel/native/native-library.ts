// Owns the calls into C: functions of the C library, and of OpenSSL and zstd inside Node.js. The only user of node:ffi.
// Every caller has a fallback, because node:ffi is experimental and some systems lack these functions.
import type * as Ffi from 'node:ffi';
import { createRequire } from 'node:module';

/** Loads node:ffi without the warning that it is experimental: the project pins its Node.js, and tests call each function. */
function loadFfi(): typeof Ffi | undefined {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return createRequire(import.meta.url)('node:ffi') as typeof Ffi;
  } catch {
    return undefined; // Node.js is too old or was built without node:ffi.
  } finally {
    process.emitWarning = emitWarning;
  }
}

let loaded: { readonly ffi: typeof Ffi | undefined } | undefined;

/** FARKEEP_NATIVE=off turns native calls off, so that tests can run the fallback of each caller. */
function ffi(): typeof Ffi | undefined {
  if (process.env['FARKEEP_NATIVE'] === 'off' || process.platform !== 'linux') return undefined;
  loaded ??= { ffi: loadFfi() };
  return loaded.ffi;
}

/**
 * The named functions of this process (Node.js itself and the C library it is linked with), or undefined where one of them cannot be
 * called. A wrong signature crashes the process: copy it from the C header, and let a test call the function.
 */
export function nativeFunctions<const T extends Ffi.FunctionDefinitions>(
  definitions: T,
): Ffi.WrappedFunctionsFromDefinitions<T> | undefined {
  const library = ffi();
  if (library === undefined) return undefined;
  try {
    return library.dlopen(null, definitions).functions;
  } catch {
    return undefined; // The C library of this system lacks one of the functions.
  }
}
