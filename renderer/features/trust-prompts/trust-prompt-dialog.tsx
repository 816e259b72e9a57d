import type { ReactNode } from 'react';
import type { TrustPrompt } from '../../../services/contracts/models/trust.ts';

interface TrustPromptDialogProps {
  readonly prompt: TrustPrompt;
  readonly onAnswered: (answer: 'accept' | 'refuse') => void;
  readonly onPostpone: () => void;
}

export function TrustPromptDialog(_props: TrustPromptDialogProps): ReactNode {
  return null;
}
