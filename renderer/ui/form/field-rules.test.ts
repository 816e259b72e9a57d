import { describe, expect, it } from 'vitest';
import { addressProblems, nameProblem, parsePort } from './field-rules.ts';

describe('fields', () => {
  it('accept the same names as the contract', () => {
    expect(nameProblem('Repository 1')).toBeNull();
    expect(nameProblem('  ')).toBe('field.required');
    expect(nameProblem(' x')).toBe('field.name');
    expect(nameProblem('x'.repeat(101))).toBe('field.name');
  });

  it('accept ports from 1 to 65535', () => {
    expect(parsePort(' 6180 ')).toBe(6180);
    for (const text of ['', '0', '65536', '61.80', '-1', '6180x', '1e3']) expect(parsePort(text)).toBeNull();
  });

  it('require the port in its own field, and accept IPv6', () => {
    expect(addressProblems('gw1.northwind.example', '6180')).toEqual({});
    expect(addressProblems('::1', '6180')).toEqual({});
    expect(addressProblems('gw1:6180', '6180')).toEqual({ host: 'field.host' });
    expect(addressProblems('', 'x')).toEqual({ host: 'field.required', port: 'field.port' });
    expect(addressProblems('https://gw1', '6180')).toEqual({ host: 'field.host' });
  });
});
