// Owns the queue of trust prompts. One prompt is open at a time. Several questions about one identity share one prompt.
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

/** Opens the prompt. If the prompt is already open, this call waits for the same answer. Resolves with the outcome. */
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

/** Called after a prompt was answered, in this window or in another program. */
export function settleTrust(promptId: string, answer: TrustAnswer): void {
  const { questions } = useTrustQuestions.getState();
  const settled = questions.find(({ prompt }) => prompt.id === promptId);
  if (settled === undefined) return;
  useTrustQuestions.setState({ questions: questions.filter((question) => question !== settled) });
  for (const resolve of settled.waiting) resolve(answer);
}

/** Closes the prompt without an answer. It stays in the notification area. */
export function postponeTrust(promptId: string): void {
  settleTrust(promptId, 'withdrawn');
}
