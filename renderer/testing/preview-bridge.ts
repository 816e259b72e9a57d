// Owns a bridge without services, to view pages in a browser. Never shipped; the console uses the preload's bridge.
import type { BridgeCall, BridgeEvent, CallResult, FarkeepBridge } from '../../services/contracts/carrier.ts';
import type { CallTarget } from '../../services/contracts/contract.ts';
import { makeErrorInfo } from '../platform/error-info.ts';
import { previewAnswers } from './preview-answers.ts';
import { PreviewFailure } from './preview-failure.ts';
import type { PreviewScene } from './preview-scene.ts';

export interface PreviewBridge extends FarkeepBridge {
  publish(target: CallTarget, domain: string, event: string, payload: unknown): void;
}

export function createPreviewBridge(scene: PreviewScene): PreviewBridge {
  const listeners = new Set<(event: BridgeEvent) => void>();
  const sequences = new Map<CallTarget, number>();
  const canceled = new Set<string>();
  const publish: PreviewBridge['publish'] = (target, domain, event, payload) => {
    const sequence = (sequences.get(target) ?? 0) + 1;
    sequences.set(target, sequence);
    for (const listener of listeners) listener({ target, incarnation: 1, sequence, domain, event, payload });
  };
  const answers = previewAnswers(scene, publish);
  return {
    publish,
    platform: 'linux',
    pathOfDroppedFile: () => '/srv/admin/northwind.pfx',
    cancel: (id) => void canceled.add(id),
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async call({ target, id, domain, command, input }: BridgeCall): Promise<CallResult> {
      const answer = answers[`${target}.${domain}.${command}`] ?? answers[`${domain}.${command}`];
      if (answer === undefined)
        return { ok: false, error: makeErrorInfo('call.unknown', `No preview answer for ${domain}.${command}`) };
      try {
        const value = await answer(input, () => canceled.has(id));
        return { ok: true, value };
      } catch (error) {
        if (error instanceof PreviewFailure) return { ok: false, error: error.info };
        throw error;
      }
    },
  };
}
