// Owns the enrolment token of the configuration: in the file itself, or in one that it names. Uses nothing up.
import { readFile } from 'node:fs/promises';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { parseEnrolmentToken } from '../transport/enrolment-token.ts';
import type { GatewayConfig } from './config.ts';

/** @throws config.invalid, naming the setting; a missing file only when the gateway is not enrolled yet */
export async function readConfiguredToken(
  { enrolmentToken, enrolmentTokenFile }: Pick<GatewayConfig, 'enrolmentToken' | 'enrolmentTokenFile'>,
  { isEnrolled }: { isEnrolled: boolean },
): Promise<string | undefined> {
  if (enrolmentToken !== undefined) return checkedToken(enrolmentToken, 'enrolmentToken');
  if (enrolmentTokenFile === undefined) return undefined;
  try {
    return checkedToken(await readFile(enrolmentTokenFile, 'utf8'), 'enrolmentTokenFile');
  } catch (error) {
    if (error instanceof FarkeepError) throw error;
    // An enrolled gateway needs the file no more; a new one cannot do without it.
    if (isEnrolled) return undefined;
    throw new FarkeepError(
      'config.invalid',
      `The enrolment token file ${enrolmentTokenFile} cannot be read: ${String(error)}`,
      { field: 'enrolmentTokenFile', cause: error },
    );
  }
}

function checkedToken(text: string, field: string): string {
  try {
    parseEnrolmentToken(text);
    return text;
  } catch (error) {
    throw new FarkeepError(
      'config.invalid',
      `The enrolment token of the configuration cannot be used: ${toFarkeepError(error).message}`,
      { field, cause: error },
    );
  }
}
