// Owns the list of all texts of the console in American English. Features take them by key; a missing key does not compile.
import { handshakeTexts } from './text-handshake.ts';
import { certificateTexts } from './text-certificates.ts';
import { listTexts } from './text-lists.ts';
import { providerTexts } from './text-provider.ts';
import { sessionTexts } from './text-sessions.ts';
import { shellTexts } from './text-shell.ts';
import { startTexts } from './text-start.ts';
import { tenantTexts } from './text-tenant.ts';
import { trustTexts } from './text-trust.ts';

export const texts = {
  ...shellTexts,
  ...listTexts,
  ...startTexts,
  ...certificateTexts,
  ...trustTexts,
  ...providerTexts,
  ...tenantTexts,
  ...sessionTexts,
  ...handshakeTexts,
} as const;

export type TextKey = keyof typeof texts;
