// Owns the public keys of those who may issue licenses: Ed25519, PEM (SPKI). Whoever distributes this program puts theirs here.
// A provider can name further ones in its configuration (`licenseKeyFiles`), such as the key of a reseller. Never a private key.

/** None in the source itself: with an empty list and no configured key the community license holds. */
export const builtInLicenseKeys: readonly string[] = [];
