// Owns the events about changes in the users of a certificate: at most two a second, and always the last change. Without the limit, many
// tenants that reconnect at once would make every console load the whole list each time.
import type { EventPublisher } from '../../contracts/contract.ts';
import { certificateSlots, type CertificateSlot } from '../../contracts/models/certificate.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { Coalescer } from '../../session/coalescer.ts';

const intervalMs = 500;

export class CertificateUsageEvents {
  readonly #usage: Readonly<Record<CertificateSlot, Coalescer<CertificateSlot>>>;
  readonly #counts: Coalescer<undefined>;
  #isStopped = false;

  /** @param publishCounts publishes how many tenants know of the planned change; never rejects */
  constructor({ publish, publishCounts }: { publish: EventPublisher; publishCounts: () => Promise<void> }) {
    const coalescerOf = (): Coalescer<CertificateSlot> =>
      new Coalescer(intervalMs, (slot) => {
        if (!this.#isStopped) publish(certificateDomain, 'usageChanged', { slot });
      });
    this.#usage = { server: coalescerOf(), provider: coalescerOf() };
    this.#counts = new Coalescer(intervalMs, () => {
      if (!this.#isStopped) void publishCounts();
    });
  }

  usageChanged(slot: CertificateSlot): void {
    this.#usage[slot].push(slot);
  }

  countsChanged(): void {
    this.#counts.push(undefined);
  }

  /** Drops waiting events: the consoles load the list again after a restart. */
  stop(): void {
    this.#isStopped = true;
    for (const slot of certificateSlots) this.#usage[slot].flush();
    this.#counts.flush();
  }
}
