// Owns the trust domain of the tenant service.
import type { CallContext, DomainHandlers, EventPublisher } from '../contracts/contract.ts';
import { trustDomain } from '../contracts/rpc/trust.ts';
import type { PinStore } from '../certstore/pin-store.ts';
import type { TrustJournal } from '../certstore/trust-journal.ts';
import type { TrustDesk } from './trust-desk.ts';

function who({ caller }: CallContext): string {
  return `${caller.account} (${caller.kind})`;
}

export function trustHandlers(options: {
  desk: TrustDesk;
  pins: PinStore;
  journal: TrustJournal;
  publish: EventPublisher;
}): DomainHandlers<typeof trustDomain> {
  const { desk, pins, journal, publish } = options;
  return {
    listPrompts: () => ({ prompts: desk.prompts() }),
    verifyThumbprint: ({ promptId, pasted }) => desk.verify(promptId, pasted),
    answerPrompt: ({ promptId, answer, isCompared }, context) => {
      desk.answer(promptId, answer, { isCompared, who: who(context) });
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
        note: 'From now on this certificate is refused',
      });
      publish(trustDomain, 'pinsChanged', {});
      return {};
    },
    journal: () => {
      const { isIntact, brokenAt } = journal.verify();
      return { entries: journal.list(), isIntact, brokenAt };
    },
  };
}
