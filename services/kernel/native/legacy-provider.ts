// Owns loading OpenSSL's legacy provider, which holds ciphers and hashes that are no longer recommended. While it is loaded, node:crypto
// offers them in the whole process. So it is loaded only while an old file is read, and unloaded at once.
import { nativeFunctions } from './native-library.ts';

/** Loads the provider until the result is disposed. undefined when loading is not possible; these ciphers have no fallback. */
export function loadLegacyProvider(): Disposable | undefined {
  const openssl = nativeFunctions({
    // (library context, name, whether the loaded providers stay loaded)
    OSSL_PROVIDER_try_load: { arguments: ['pointer', 'string', 'int32'], return: 'pointer' },
    OSSL_PROVIDER_unload: { arguments: ['pointer'], return: 'int32' },
  });
  if (openssl === undefined) return undefined;
  const provider = openssl.OSSL_PROVIDER_try_load(0n, 'legacy', 1);
  if (provider === 0n) return undefined;
  return {
    [Symbol.dispose]: () => {
      openssl.OSSL_PROVIDER_unload(provider);
    },
  };
}
