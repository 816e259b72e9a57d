// Owns taking secrets out of a line that a service wrote, once more than the service itself did.
import { redact, redactText } from '../../../services/kernel/redaction.ts';

export function redactLine(line: string): string {
  if (!line.startsWith('{')) return redactText(line);
  try {
    return redactText(JSON.stringify(redact(JSON.parse(line))));
  } catch {
    return redactText(line);
  }
}
