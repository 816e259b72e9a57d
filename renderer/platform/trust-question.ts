// Owns the queue of trust prompts that are shown as a dialog. One prompt is open at a time; the same identity is asked about once.
import { create } from 'zustand';
import type { TrustPrompt } from '../../services/contracts/models/trust.ts';

export type TrustAnswer = 'accept' | 'refuse' | 'withdrawn';

interface TrustQuestion {
  readonly prompt: TrustPrompt;
  readonly waiting: readonly ((answer: TrustAnswer) => void)[];
}

interface TrustQuestionState {
  readonly questions: readonly TrustQuestion[];
}

export const useTrustQuestions = create<TrustQuestionState>(() => ({ questions: [] }));

/** Opens the prompt, or joins it when it is open already; resolves with what became of it. */
export function askTrust(prompt: TrustPrompt): Promise<TrustAnswer> {
  return new Promise((resolve) => {
    useTrustQuestions.setState(({ questions }) => {
      const isOpen = questions.some((question) => question.prompt.id === prompt.id);
      if (!isOpen) return { questions: [...questions, { prompt, waiting: [resolve] }] };
      return {
        questions: questions.map((question) =>
          question.prompt.id === prompt.id ? { ...question, waiting: [...question.waiting, resolve] } : question,
        ),
      };
    });
  });
}

/** Called when a prompt was answered here or anywhere else. */
export function settleTrust(promptId: string, answer: TrustAnswer): void {
  const { questions } = useTrustQuestions.getState();
  const settled = questions.find(({ prompt }) => prompt.id === promptId);
  if (settled === undefined) return;
  useTrustQuestions.setState({ questions: questions.filter((question) => question !== settled) });
  for (const resolve of settled.waiting) resolve(answer);
}

/** Closes without an answer; the prompt stays in the notification area. */
export function postponeTrust(promptId: string): void {
  settleTrust(promptId, 'withdrawn');
}
