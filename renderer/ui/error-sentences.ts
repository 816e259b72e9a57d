// Owns an error as one line of text beside a field: what is wrong and what to do, as sentences. Pure.
import type { ErrorInfo } from '../../services/contracts/errors.ts';

export function errorSentences({ message, hint }: Pick<ErrorInfo, 'message' | 'hint'>): string {
  if (hint === '') return message;
  return /[.!?:…]$/.test(message) ? `${message} ${hint}` : `${message}. ${hint}`;
}
