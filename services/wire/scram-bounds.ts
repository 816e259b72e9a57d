// Owns the limits of a SCRAM login (docs/protocol.md, section 2), which both the message schemas and the login code check.

/** A shorter salt gives no protection; a longer one only costs the hashing side more work. */
export const minSaltBytes = 8;
export const maxSaltBytes = 64;
