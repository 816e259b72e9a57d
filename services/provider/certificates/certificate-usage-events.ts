// Owns telling consoles that who relies on a certificate has changed: at most twice a second, and the last change always. When many tenants
// come back at once, every console would otherwise ask for the whole list as often as that.
import type { EventPublisher } from '../../contracts/contract.ts';
import { certificateSlots, type CertificateSlot } from '../../contracts/models/certificate.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { Coalescer } from '../../session/coalescer.ts';

const intervalMs = 500;

export class CertificateUsageEvents {
  readonly #usage: Readonly<Record<CertificateSlot, Coalescer<CertificateSlot>>>;
  readonly #counts: Coalescer<undefined>;
  #isStopped = false;

  /** @param publishCounts tells who knows of the planned change; rejects never */
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

  /** What waits is dropped: the consoles are going to ask anew. */
  stop(): void {
    this.#isStopped = true;
    for (const slot of certificateSlots) this.#usage[slot].flush();
    this.#counts.flush();
  }
}
