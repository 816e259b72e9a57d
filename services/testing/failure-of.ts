// Owns converting a rejection into its code and message, for comparison in tests.

export async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await work;
    return { code: 'no error', message: '' };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return { code, message: error instanceof Error ? error.message : '' };
  }
}
