import { STEPS } from '../../src/engine/registry.js';
import { stepConformance } from './step.js';

for (const step of STEPS) stepConformance(step);
