// Owns how components get their texts: by key, checked by the compiler, through react-intl so that another language needs no code.
import { useCallback } from 'react';
import { useIntl } from 'react-intl';
import type { TextKey } from './texts.ts';

export type TextValues = Readonly<Record<string, string | number>>;
export type TextFunction = (key: TextKey, values?: TextValues) => string;

export function useText(): TextFunction {
  const { formatMessage } = useIntl();
  return useCallback((id, values) => formatMessage({ id }, values), [formatMessage]);
}
