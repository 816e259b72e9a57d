// Owns what a gateway stores on disk: its provider, and its own client certificate with key, in one file so that they always match. Nothing
// in the file opens a tenant's data. An attacker who steals the file can relay connections as this gateway until the provider removes the
// gateway.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

import { writeFileAtomically } from '../kernel/state/atomic-file.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import { isMissing } from '../kernel/system-error.ts';

const stateSchema = z.object({
  version: z.literal(1),
  gatewayId: z.string().min(1),
  host: z.string().min(1),
  port: z.number().int().min(1).max(65535),
  /** SHA-256 of the provider's infrastructure certificate, from the token. */
  fingerprint: z.string(),
  infrastructureCaPem: z.string(),
  certificatePem: z.string(),
  privateKeyPem: z.string(),
  /** A renewed certificate that no link has used yet. `certificatePem` stays valid until a link uses the renewed certificate. */
  renewed: z.object({ certificatePem: z.string(), privateKeyPem: z.string() }).optional(),
  /** Hash of the secret of the used token, so that the token in the configuration is not tried again at every start. */
  tokenHash: z.string(),
});
export type GatewayState = z.infer<typeof stateSchema>;

function stateFile(home: string): string {
  return path.join(home, 'link-identity.json');
}

/** @throws FarkeepError `storage.damaged` when the file is not valid */
export async function loadGatewayState(home: string, logger: Logger): Promise<GatewayState | undefined> {
  const file = stateFile(home);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new FarkeepError('storage.io', `${file} cannot be read: ${String(error)}`, { cause: error });
  }
  if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) {
    logger.warn('The private key of the gateway link can be read by other users', { file, next: `chmod 600 ${file}` });
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    content = undefined;
  }
  const state = stateSchema.safeParse(content);
  if (!state.success) {
    throw new FarkeepError('storage.damaged', `${file} was not written by this version`, {
      hint: 'Remove the file and enroll the gateway again with a new token.',
    });
  }
  return state.data;
}

export async function saveGatewayState(home: string, state: GatewayState): Promise<void> {
  await writeFileAtomically(stateFile(home), `${JSON.stringify(stateSchema.parse(state), null, 2)}\n`, { mode: 0o600 });
}
