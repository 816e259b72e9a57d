// Owns the dialogs of trust prompts: shows one at a time, and closes prompts that were answered elsewhere.
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { trustDomain } from '../../services/contracts/rpc/trust.ts';
import { TrustPromptDialog } from '../features/trust-prompts/trust-prompt-dialog.tsx';
import { getBridge } from '../platform/bridge.ts';
import { postponeTrust, settleTrust, useTrustQuestions } from '../platform/trust-question.ts';

export function TrustPromptHost(): ReactNode {
  const question = useTrustQuestions(({ questions }) => questions[0]);
  useEffect(
    () =>
      getBridge().onEvent(({ target, domain, event, payload }) => {
        if (target !== 'tenant' || domain !== 'trust' || event !== 'promptSettled') return;
        const settled = trustDomain.events.promptSettled.payload.safeParse(payload);
        if (settled.success) settleTrust(settled.data.promptId, settled.data.answer);
      }),
    [],
  );
  if (question === undefined) return null;
  const { prompt } = question;
  return (
    <TrustPromptDialog
      key={prompt.id}
      prompt={prompt}
      onAnswered={(answer) => settleTrust(prompt.id, answer)}
      onPostpone={() => postponeTrust(prompt.id)}
    />
  );
}
