// Owns generated passwords for accounts: from the browser's cryptographic random source, without letters that look alike.

const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789';
const groupCount = 5;
const groupLength = 4;

/** Five groups of four, "hB7k-...": more than 115 bits. */
export function generatePassword(): string {
  // Larger byte values would make the first letters more frequent.
  const limit = 256 - (256 % alphabet.length);
  let letters = '';
  while (letters.length < groupCount * groupLength) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32))) {
      if (byte < limit && letters.length < groupCount * groupLength) letters += alphabet[byte % alphabet.length] ?? '';
    }
  }
  return (letters.match(new RegExp(`.{${groupLength}}`, 'g')) ?? []).join('-');
}
