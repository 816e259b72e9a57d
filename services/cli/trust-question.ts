// Owns reporting that a session waits for an answer about a certificate: the question, the presented certificate, the command to answer.
// Must not answer. The command does not contain the presented thumbprint: the user must type the thumbprint that the provider gave in
// another way.
import type { SessionDetail } from '../contracts/models/session.ts';
import type { TrustPrompt } from '../contracts/models/trust.ts';
import { sessionsDomain } from '../contracts/rpc/sessions.ts';
import { trustDomain } from '../contracts/rpc/trust.ts';
import { quoteForShell, type AdminClient } from '../host/carriers/admin-client.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { defaultHome } from '../kernel/state/home-folder.ts';
import { formatInstant } from './quantities.ts';
import { printable } from './text-table.ts';

/** @returns the question that the session waits for; undefined when the session waits for something else or does not wait */
export async function findQuestion(client: AdminClient, sessionId: string): Promise<TrustPrompt | undefined> {
  const session: SessionDetail = await client.domain(sessionsDomain).show({ sessionId });
  // A session that lost its connection has a next attempt. A session without a next attempt waits for a person.
  if (session.state !== 'waiting-to-resume' || session.nextAttemptAt !== null) return undefined;
  const { prompts } = await client.domain(trustDomain).listPrompts({});
  return prompts.find(({ identity }) => identity === session.otherSide);
}

export function formatQuestion(prompt: TrustPrompt, home: string): string {
  return [
    `${prompt.kind === 'changed' ? '!!' : '! '} ${describeQuestion(prompt)}. It waits for an answer:`,
    `     ${answerCommand(prompt, home)}`,
    '   with the thumbprint that your provider gave you, for example by phone; or answer in the console.',
  ].join('\n');
}

/** The error for a command without a person who could answer. */
export function questionError(
  prompt: TrustPrompt,
  { home, sessionId }: { home: string; sessionId: string },
): FarkeepError {
  const { kind, identity, presented, reasons } = prompt;
  return new FarkeepError(kind === 'changed' ? 'trust.changed' : 'trust.untrusted', describeQuestion(prompt), {
    hint: `Compare it with the thumbprint that your provider gave you, for example by phone. Then answer, and run the command again: ${answerCommand(prompt, home)}`,
    details: { identity, sha256: presented.sha256, reasons: [...reasons], sessionId },
  });
}

function describeQuestion({ kind, identity, gateway, presented, announcedFor }: TrustPrompt): string {
  const what = `${kind === 'changed' ? 'has CHANGED' : 'is not trusted'}${describeEarly(announcedFor)}`;
  return `The certificate of "${printable(identity)}" (${gateway.host}:${gateway.port}) ${what}; presented SHA-256 thumbprint: ${presented.sha256}`;
}

/** Explains why there is a question although the provider announced the certificate. */
export function describeEarly(announcedFor: TrustPrompt['announcedFor']): string {
  return announcedFor === null ? '' : ` (announced for ${formatInstant(announcedFor)}, shown early)`;
}

function answerCommand({ identity }: TrustPrompt, home: string): string {
  const homeOption = home === defaultHome() ? '' : ` --home ${quoteForShell(home)}`;
  return `farkeep trust accept ${quoteForShell(printable(identity))} --fingerprint THUMBPRINT${homeOption}`;
}
