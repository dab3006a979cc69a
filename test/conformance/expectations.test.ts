import { EXPECTATIONS } from '../../src/engine/registry.js';
import { stepConformance } from './step.js';

for (const expectation of EXPECTATIONS) stepConformance(expectation);
