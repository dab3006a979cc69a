import { SOURCES } from '../../src/engine/registry.js';
import { sourceConformance } from './source.js';

for (const source of SOURCES) sourceConformance(source);
