// Owns an error as one line of text beside a field: the problem and the next step, as sentences. Pure.
import type { ErrorInfo } from '../../services/contracts/errors.ts';

export function errorSentences({ message, hint }: Pick<ErrorInfo, 'message' | 'hint'>): string {
  if (hint === '') return message;
  return /[.!?:…]$/.test(message) ? `${message} ${hint}` : `${message}. ${hint}`;
}
