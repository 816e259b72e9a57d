// Owns the trust domain of the tenant service.
import type { CallContext, DomainHandlers, EventPublisher } from '../../contracts/contract.ts';
import type { TrustSettings, TrustSettingsProblem } from '../../contracts/models/trust.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { notableText } from '../../contracts/notable-events.ts';
import type { PinStore } from '../../certstore/pin-store.ts';
import type { TrustJournal } from '../../certstore/trust-journal.ts';
import { exportTrustedHosts, importTrustedHosts } from '../../certstore/trusted-hosts.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { TrustCheck } from '../providers/trust-check.ts';
import type { TrustPrompts } from '../trust/trust-prompts.ts';
import type { TrustSettingsStore } from '../trust/trust-settings.ts';

function who({ caller }: CallContext): string {
  return `${caller.account} (${caller.kind})`;
}

export function trustHandlers(options: {
  trustPrompts: TrustPrompts;
  pins: PinStore;
  journal: TrustJournal;
  settings: TrustSettingsStore;
  trustCheck: Pick<TrustCheck, 'check' | 'accept'>;
  clock: Clock;
  publish: EventPublisher;
}): DomainHandlers<typeof trustDomain> {
  const { trustPrompts, pins, journal, settings, trustCheck, clock, publish } = options;
  const shownSettings = async (): Promise<TrustSettings & { problems: TrustSettingsProblem[] }> => ({
    ...settings.current,
    problems: await settings.problems(),
  });
  return {
    listPrompts: () => ({ prompts: trustPrompts.prompts() }),
    verifyThumbprint: ({ promptId, pasted }) => trustPrompts.verify(promptId, pasted),
    answerPrompt: ({ promptId, answer, isCompared }, context) => {
      trustPrompts.answer(promptId, answer, { isCompared, who: who(context) });
      return {};
    },
    listPins: () => ({ pins: pins.list() }),
    revokePin: ({ pinId }, context) => {
      const { identity, certificate } = pins.get(pinId);
      pins.revoke(pinId);
      journal.append({
        who: who(context),
        action: 'revoked',
        identity,
        address: '',
        sha256: certificate.sha256,
        note: notableText('trust.revoked'),
      });
      publish(trustDomain, 'pinsChanged', {});
      return {};
    },
    reinstatePin: ({ pinId, pasted }, context) => trustPrompts.reinstate(pinId, pasted, who(context)),
    journal: () => {
      const { isIntact, brokenAt, head } = journal.verify();
      return { entries: journal.list(), isIntact, brokenAt, head };
    },
    check: (input, { signal }) => trustCheck.check(input, signal),
    acceptInAdvance: (input, { signal }) => trustCheck.accept(input, signal),
    exportHosts: (_input, context) => ({
      count: pins.list().filter(({ state }) => state === 'current').length,
      text: exportTrustedHosts(pins, journal, who(context), clock),
    }),
    importHosts: ({ text }, context) => {
      const report = importTrustedHosts(text, pins, journal, who(context));
      // The added providers are pinned now, so the open questions about these providers are withdrawn.
      for (const identity of report.added) trustPrompts.withdraw(identity);
      if (report.added.length > 0) publish(trustDomain, 'pinsChanged', {});
      return report;
    },
    getSettings: () => shownSettings(),
    setSettings: async (wanted, context) => {
      await settings.change(wanted);
      journal.append({
        who: who(context),
        action: 'configured',
        identity: '',
        address: '',
        sha256: '',
        note: notableText('trust.configured', wanted),
      });
      publish(trustDomain, 'settingsChanged', wanted);
      return shownSettings();
    },
  };
}
