// Owns the failure of a preview answer. Never shipped.
import { makeErrorInfo } from '../platform/error-info.ts';

export class PreviewFailure extends Error {
  readonly info;
  constructor(...info: Parameters<typeof makeErrorInfo>) {
    super(info[1]);
    this.info = makeErrorInfo(...info);
  }
}
