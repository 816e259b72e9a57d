// Owns the bounds of a SCRAM login (docs/protocol.md, section 2) that messages and the exchange itself both check.

/** Fewer bytes are worth nothing as a salt; more are only work for whoever has to hash them. */
export const minSaltBytes = 8;
export const maxSaltBytes = 64;
