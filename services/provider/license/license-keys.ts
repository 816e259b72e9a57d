// Owns the public keys of license issuers: Ed25519, PEM (SPKI). A distributor of this program adds its keys here. A provider can name more
// keys in its configuration (`licenseKeyFiles`), such as the key of a reseller. Must never contain a private key.

/** The source contains no key: with an empty list and no configured key, the community license applies. */
export const builtInLicenseKeys: readonly string[] = [];
