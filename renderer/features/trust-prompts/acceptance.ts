// Owns when a presented certificate can be accepted in a prompt. Pure. The tenant service checks the same.

/** At the first contact and after a change alike. If a checked thumbprint does not match, a tick does not help. */
export function canAccept(check: { readonly isMatch: boolean } | null, isCompared: boolean): boolean {
  return check === null ? isCompared : check.isMatch;
}
