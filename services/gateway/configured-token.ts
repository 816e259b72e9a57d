// Owns reading the enrollment token of the configuration: in the configuration itself, or in a file that it names. Must not use the token.
import { readFile } from 'node:fs/promises';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { parseEnrollmentToken } from '../transport/enrollment-token.ts';
import type { GatewayConfig } from './config.ts';

/** @throws config.invalid that names the setting; for a missing file only when the gateway is not enrolled */
export async function readConfiguredToken(
  { enrollmentToken, enrollmentTokenFile }: Pick<GatewayConfig, 'enrollmentToken' | 'enrollmentTokenFile'>,
  { isEnrolled }: { isEnrolled: boolean },
): Promise<string | undefined> {
  if (enrollmentToken !== undefined) return checkedToken(enrollmentToken, 'enrollmentToken');
  if (enrollmentTokenFile === undefined) return undefined;
  try {
    return checkedToken(await readFile(enrollmentTokenFile, 'utf8'), 'enrollmentTokenFile');
  } catch (error) {
    if (error instanceof FarkeepError) throw error;
    // An enrolled gateway does not need the file any more; a new gateway does.
    if (isEnrolled) return undefined;
    throw new FarkeepError(
      'config.invalid',
      `The enrollment token file ${enrollmentTokenFile} cannot be read: ${String(error)}`,
      { field: 'enrollmentTokenFile', cause: error },
    );
  }
}

function checkedToken(text: string, field: string): string {
  try {
    parseEnrollmentToken(text);
    return text;
  } catch (error) {
    throw new FarkeepError(
      'config.invalid',
      `The enrollment token of the configuration cannot be used: ${toFarkeepError(error).message}`,
      { field, cause: error },
    );
  }
}
