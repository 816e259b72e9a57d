// Owns the encodings by which programs convert a typed password to bytes for PKCS#12 and PBES2.

export interface PasswordForm {
  /** Form for the key derivation of RFC 7292, appendix B: BMPString with a final zero, or empty for no password. */
  readonly pkcs12: Buffer;
  /** Form for PBKDF2 and scrypt. */
  readonly plain: Buffer;
}

/**
 * All encodings to try, the likeliest first: UTF-8 (OpenSSL, Windows, RFC 9579), then those of older programs: UTF-16 also under PBES2,
 * even for ASCII (NSS before 3.31), each byte of the UTF-8 text as one character (OpenSSL 1.0), and Latin-1. PKCS#12 distinguishes an
 * absent password from an empty one, but people do not, so both are tried.
 */
export function passwordForms(password: string | undefined): PasswordForm[] {
  if (password === undefined || password === '') {
    return [
      { pkcs12: bmp(''), plain: Buffer.alloc(0) },
      { pkcs12: Buffer.alloc(0), plain: Buffer.alloc(0) },
    ];
  }
  const utf8 = Buffer.from(password, 'utf8');
  const first = { pkcs12: bmp(password), plain: utf8 };
  if (utf8.length === password.length) return [first, { pkcs12: first.pkcs12, plain: bmp(password) }];
  const composed = password.normalize('NFC');
  const latin1 = /^[\u0000-\u00ff]*$/.test(composed)
    ? [{ pkcs12: bmp(composed), plain: Buffer.from(composed, 'latin1') }]
    : [];
  return [
    first,
    ...[composed, password.normalize('NFD')]
      .filter((other) => other !== password)
      .map((other) => ({ pkcs12: bmp(other), plain: Buffer.from(other, 'utf8') })),
    { pkcs12: bmp(utf8.toString('latin1')), plain: bmp(password) },
    ...latin1,
  ];
}

/** UTF-16, big-endian, with a final zero character. */
function bmp(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le').swap16();
}

/**
 * Returns the first result of `attempt` that is not undefined. If two encodings give the same bytes, the bytes are tried once, because each
 * attempt can cost a key derivation.
 */
export function firstThatFits<T>(
  forms: readonly PasswordForm[],
  uses: keyof PasswordForm,
  attempt: (form: PasswordForm) => T | undefined,
): T | undefined {
  const tried: Buffer[] = [];
  for (const form of forms) {
    const bytes = form[uses];
    if (tried.some((earlier) => earlier.equals(bytes))) continue;
    tried.push(bytes);
    const result = attempt(form);
    if (result !== undefined) return result;
  }
  return undefined;
}
