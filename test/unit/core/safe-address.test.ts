import { describe, expect, it } from 'vitest';
import { createAddressRules } from '../../../src/core/safe-address.js';

describe('addresses that webhooks may reach', () => {
  const rules = createAddressRules([]);

  it.each(['8.8.8.8', '93.184.216.34', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) => {
    expect(rules.allowsAddress(address)).toBe(true);
  });

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.0.0.1',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fc00::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    'not an address',
  ])('%s is not', (address) => {
    expect(rules.allowsAddress(address)).toBe(false);
  });

  it('are also those that the operator lists', () => {
    const listed = createAddressRules(['10.1.0.0/16', '::ffff:192.168.0.1', 'fd00::/8', 'Agents.Internal']);
    expect(['10.1.2.3', '::ffff:10.1.2.3', '192.168.0.1', 'fd12::1'].filter(listed.allowsAddress)).toHaveLength(4);
    expect(['10.2.0.1', '192.168.0.2', 'fc00::1'].filter(listed.allowsAddress)).toEqual([]);
    expect(listed.allowsHost('agents.internal')).toBe(true);
    expect(listed.allowsHost('x.agents.internal')).toBe(false);
  });
});
