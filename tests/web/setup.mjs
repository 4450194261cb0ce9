// SPDX-License-Identifier: GPL-3.0-or-later
// What a test has rendered goes with it: a component that is left behind would hear of its
// connection's end when there is no window any more.
import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

afterEach(cleanup);
