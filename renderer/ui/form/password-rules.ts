// Owns the rule for new passwords: the same as in the contract.

export const leastPasswordLength = 8;
