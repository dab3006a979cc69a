import { expect, it } from 'vitest';
import { didYouMean, similarNames } from '../../../../src/engine/sinks/similar-names.js';

it('finds names that differ by case or by a slip, nearest first', () => {
  const names = ['Orders', 'order', 'customers', 'order_items'];
  expect(similarNames('orders', names)).toEqual(['Orders', 'order']);
  expect(similarNames('custmers', names)).toEqual(['customers']);
  expect(similarNames('x', names)).toEqual([]);
});

it('says so, or nothing', () => {
  expect(didYouMean('ordes', ['orders', 'order'])).toBe(' Did you mean "orders" or "order"?');
  expect(didYouMean('zzz', ['orders'])).toBe('');
});
