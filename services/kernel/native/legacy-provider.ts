// Owns OpenSSL's legacy provider: the ciphers and hashes that OpenSSL 3 keeps apart because nobody should use them any more. While it is
// loaded, node:crypto has them in the whole process, so it is loaded for reading an old file and unloaded at once.
import { nativeFunctions } from './native-library.ts';

/** Loads it until the result is disposed; undefined where that is not possible, and there is no second way to these ciphers. */
export function loadLegacyProvider(): Disposable | undefined {
  const openssl = nativeFunctions({
    // (library context, name, whether the providers that are there stay)
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
