// Owns showing trust prompts as dialogs, one at a time, and closing those that were answered elsewhere.
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
