// Owns asking a person about the certificate of a known provider when a call was refused because of it. After "Accept", the call is repeated.
import type { TextFunction } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { askTrust } from '../../platform/trust-question.ts';
import { trustProblem } from './trust-problem.ts';

/** @param identity the saved name of the provider, for which its certificate is pinned */
export async function withTrust(identity: string, t: TextFunction, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code } = toErrorInfo(error);
    if (code !== 'trust.untrusted' && code !== 'trust.changed') throw error;
    const { prompts } = await tenantClients.trust.listPrompts({});
    const prompt = prompts.find((candidate) => candidate.identity === identity);
    if (prompt === undefined) throw error;
    if ((await askTrust(prompt)) !== 'accept') throw trustProblem(null, t);
    await work();
  }
}
