/** The places, built. Camera at x = 0, z = 0 in front of the house's wall, looking along -z; y = 0 is the ground at the door. */
import { Mesh } from 'three';
import { places } from '../places.ts';
import type { PlaceName, StreamPlan } from '../plan.ts';
import { between, fork, pick } from '../random.ts';
import {
  bush,
  flowerBed,
  hedge,
  house,
  panelFence,
  picketFence,
  porchPosts,
  pot,
  railFence,
  railing,
  streetLamp,
  tree,
} from './garden.ts';
import { Kit, type Scenery, skyDome } from './kit.ts';
import { makeSky } from './surfaces.ts';

const lawn = (kit: Kit, zFar = -60): Kit => kit.ground('grass', -45, zFar, 45, 3, -0.03);

function street(kit: Kit, zNear: number, pavementM: number, roadM: number): void {
  kit.ground('paving', -45, zNear - pavementM, 45, zNear, -0.005);
  kit.box('concrete', [0, -0.12, zNear - pavementM - 0.07], [90, 0.12, 0.14], '#d5d2cb');
  kit.ground('asphalt', -45, zNear - pavementM - roadM, 45, zNear - pavementM - 0.1, -0.02);
  kit.ground('paving', -45, zNear - 2 * pavementM - roadM, 45, zNear - pavementM - roadM, -0.005);
}

const builders: Readonly<Record<PlaceName, (kit: Kit, night: boolean) => void>> = {
  cottage(kit, night) {
    lawn(kit);
    kit.ground('paving', -0.45, -9.3, 1.05, -1, 0);
    kit.ground('planks', -2.4, -1, 2.6, 0.5, 0.01);
    street(kit, -9.5, 1.9, 5);
    porchPosts(kit, [-1.55, 2], -0.95, 2.7, '#d8d4cb');
    const fence = pick(kit.random, ['#e4e0d6', '#8d7a64', '#9aa3a0']);
    picketFence(kit, -9, -0.6, -9.3, 1, fence);
    picketFence(kit, 1.25, 9, -9.3, 1, fence);
    for (const x of [-0.65, 1.25]) kit.box('planks', [x, 0, -9.3], [0.16, 1.25, 0.16], '#8a745c');
    hedge(kit, -4.7, -9, -3.9, -2, 1.25);
    bush(kit, 2.8, -3.7, 0.6);
    bush(kit, 3.4, -8.3, 0.75, 0.22);
    flowerBed(kit, -1.2, -8.8, -0.55, -3.2);
    tree(kit, 4.4, -6.3, 4.6, 1.5, { leaves: 2400 });
    house(kit, -3, -20, 12, 2, { litRatio: night ? 0.4 : 0 });
    house(kit, 11, -20.5, 9, 2, { surface: 'plaster', tone: '#c9bba3', litRatio: night ? 0.3 : 0 });
    tree(kit, 5.2, -24, 9, 3, { leaves: 900 });
    tree(kit, -13, -22, 8, 2.8, { leaves: 900 });
  },
  terrace(kit, night) {
    kit.ground('paving', -1.85, -3.2, 2.2, 0.5, 0);
    lawn(kit);
    const wall = '#e8dccf';
    kit.box('brick', [-1.15, 0, -3.25], [1.5, 0.75, 0.2], wall);
    kit.box('brick', [1.75, 0, -3.25], [1.1, 0.75, 0.2], wall);
    for (const x of [-0.4, 1.2]) kit.box('brick', [x, 0, -3.25], [0.24, 1.05, 0.24], wall);
    kit.box('brick', [-1.9, 0, -1.6], [0.2, 1.1, 3.2], wall);
    kit.box('brick', [2.25, 0, -1.6], [0.2, 1.1, 3.2], wall);
    railing(kit, [-1.15, 0.75, -3.25], 1.5, 0.45, '#23272b');
    kit.ground('paving', -5, -3.2, -1.95, 0.5, 0, '#cfc4b4');
    kit.ground('gravel', 2.3, -3.2, 6, 0.5, 0);
    street(kit, -3.4, 1.9, 7);
    hedge(kit, 2.4, -2.9, 5.8, -2.4, 1.3);
    pot(kit, -1.35, -1.3, 0.42);
    pot(kit, 1.85, -2.6, 0.36);
    for (let i = 0; i < 7; i++) {
      const tone = pick(kit.random, ['#ffffff', '#e9d8c8', '#d9c9bb', '#f3e7da']);
      house(kit, -19 + i * 5.8, -15.8, 5.75, 2, {
        surface: i % 3 === 1 ? 'plaster' : 'brick',
        tone,
        litRatio: night ? 0.35 : 0,
      });
    }
    tree(kit, -6, -13.6, 5.5, 1.7, { leaves: 1100 });
    streetLamp(kit, places.terrace.streetLampAt);
  },
  gallery(kit, night) {
    kit.ground('concrete', -14, -1.65, 8, 0.4, 0);
    kit.box('plaster', [-3, 2.55, -0.7], [22, 0.18, 2.1], '#d6d2c8');
    railing(kit, [-3, 0.04, -1.68], 22, 1.05, '#5b6468');
    kit.box('concrete', [-3, -0.25, -1.72], [22, 0.28, 0.14]);
    for (const x of [-11.5, -7.5, -3.5, 2.6]) kit.box('plaster', [x, 0, -1.66], [0.22, 2.6, 0.22], '#cfcabf');
    // The wall with the neighbours' doors, seen at a slant.
    kit.quad('plaster', [-14, 0, 0.02], [13.2, 0, 0], [0, 2.6, 0], '#d9d0bd');
    for (const [i, x] of [-9.6, -5.4].entries()) {
      kit.box('paint', [x, 0, 0.02], [1, 2.1, 0.1], i === 0 ? '#2f4d3c' : '#6d2b26');
      kit.box('glass', [x + 1.6, 1, 0.02], [1.2, 1.1, 0.08], '#2c343c');
      pot(kit, x - 0.9, -0.25, 0.3);
    }
    kit.ground('grass', -70, -80, 70, -3, -9);
    kit.ground('asphalt', -70, -26, 70, -18, -8.97);
    for (let i = 0; i < 5; i++) {
      house(kit, -38 + i * 18, -38 - (i % 2) * 6, 16, 4, {
        surface: i % 2 === 0 ? 'plaster' : 'brick',
        tone: '#cdc6ba',
        roof: false,
        litRatio: night ? 0.25 : 0,
      });
    }
    for (const x of [-22, -12, -3, 9, 17]) {
      tree(kit, x, -14, 3.4, 2.2, { leaves: 900 });
    }
  },
  driveway(kit, night) {
    lawn(kit);
    kit.ground('concrete', -3.2, -11, 2.5, 0.5, 0);
    street(kit, -11.2, 1.7, 6);
    kit.ground('concrete', -3.2, -12.9, 2.5, -11, 0);
    hedge(kit, 5.4, -10.5, 6.2, 0, 1.5, 180);
    flowerBed(kit, 2.7, -6.5, 3.4, -1.5);
    bush(kit, 4.3, -7.8, 0.7);
    bush(kit, 3.6, -10.2, 0.5, 0.22);
    panelFence(kit, [-5.6, 0, -5.5], 11, 1.7, '#a48a6c', Math.PI / 2);
    tree(kit, -6.8, -12, 6, 2, { leaves: 1500 });
    house(kit, -8, -23, 11, 2, { surface: 'planks', tone: '#ece6da', litRatio: night ? 0.35 : 0 });
    house(kit, 7, -24, 12, 1, { surface: 'brick', litRatio: night ? 0.35 : 0 });
    tree(kit, 1.2, -25, 9, 2.8, { leaves: 900 });
    streetLamp(kit, places.driveway.streetLampAt);
  },
  farm(kit, night) {
    lawn(kit, -85);
    kit.ground('gravel', -8, -14, 8, 0.6, 0);
    kit.ground('gravel', 3, -34, 7, -14, -0.01);
    kit.ground('asphalt', -45, -23, 45, -19, -0.015);
    kit.box('planks', [-10, 0, -15], [9, 4.2, 8], '#b06a52');
    kit.box('paint', [-9.5, 0, -10.96], [3, 3, 0.08], '#7b4536');
    kit.quad('tiles', [-14.8, 4.1, -10.6], [9.6, 0, 0], [0, 2.4, -4.4]);
    railFence(kit, -5, 2.6, -16.5, '#9a8a76');
    railFence(kit, 7.6, 26, -16.5, '#9a8a76');
    tree(kit, 8.3, -11, 7, 2.3, { leaves: 2000, hue: 0.2 });
    tree(kit, -4.6, -20.5, 6, 2, { leaves: 1200 });
    for (const x of [-30, -22, -12, -2, 9, 19, 30])
      tree(kit, x + between(kit.random, -2, 2), -45, 9, 3.6, { leaves: 600 });
    hedge(kit, 6.4, -7, 7.2, -0.6, 1, 160);
    pot(kit, -1.7, -1.1, 0.5);
    kit.post('metal', [3.9, 0, -6.2], 0.45, 0.45, 0.7, '#7b858a');
    house(kit, 26, -42, 10, 2, { surface: 'plaster', tone: '#d8d2c6', litRatio: night ? 0.4 : 0 });
    streetLamp(kit, places.farm.streetLampAt);
  },
  courtyard(kit, night) {
    kit.ground('paving', -6, -13, 6.5, 0.6, 0, '#d7cdbb');
    kit.quad('brick', [-5.2, 0, 0.5], [0, 0, -13], [0, 6.5, 0]);
    kit.quad('plaster', [5.8, 0, -12.5], [0, 0, 13], [0, 6.5, 0], '#d3c7ae');
    // The far wall with an archway.
    kit.quad('brick', [-5.2, 0, -12.2], [5.3, 0, 0], [0, 6.5, 0]);
    kit.quad('brick', [2.3, 0, -12.2], [3.5, 0, 0], [0, 6.5, 0]);
    kit.quad('brick', [0.1, 2.7, -12.2], [2.2, 0, 0], [0, 3.8, 0]);
    kit.quad('plaster', [0.1, 0, -12.2], [0, 0, -3], [0, 2.7, 0], '#8d867b');
    kit.quad('plaster', [2.3, 0, -15.2], [0, 0, 3], [0, 2.7, 0], '#8d867b');
    kit.ground('paving', 0.1, -22, 2.3, -12.2, 0, '#a49c8f');
    kit.ground('asphalt', -12, -26, 14, -15.2, -0.01);
    house(kit, 1, -24, 14, 2, { litRatio: night ? 0.3 : 0 });
    for (const z of [-3.2, -6.4, -9.6]) {
      for (const y of [1, 3.8]) {
        const lit = night && kit.random() < 0.35;
        kit.box('paint', [-5.16, y, z], [1.3, 1.4, 0.06], '#dcd8ce', Math.PI / 2);
        kit.box(
          lit ? 'glow' : 'glass',
          [-5.12, y + 0.08, z],
          [1.14, 1.24, 0.06],
          lit ? '#ffd9a0' : '#2a3138',
          Math.PI / 2,
        );
      }
    }
    kit.box('paint', [5.75, 0, -5], [1, 2.1, 0.1], '#4a2a23', Math.PI / 2);
    kit.box('planks', [-4.5, 0.4, -4.4], [1.6, 0.06, 0.45], '#b99b75', Math.PI / 2);
    for (const z of [-5, -3.8]) kit.box('metal', [-4.5, 0, z], [0.4, 0.4, 0.06], '#3a3d40');
    pot(kit, 1.9, -1.7, 0.45);
    pot(kit, -1.6, -2.1, 0.38);
    pot(kit, 4.9, -8.4, 0.6);
    tree(kit, 3.6, -8.8, 4.4, 1.3, { leaves: 1700, hue: 0.23 });
    flowerBed(kit, 3.1, -9.6, 4.3, -7.9);
    streetLamp(kit, places.courtyard.streetLampAt);
  },
  pavement(kit, night) {
    street(kit, 0.5, 3, 7);
    lawn(kit);
    for (let i = 0; i < 6; i++) {
      const surface = pick(kit.random, ['brick', 'plaster'] as const);
      house(kit, -22 + i * 8.8, -13.2, 8.7, 3, {
        surface,
        tone: pick(kit.random, ['#ffffff', '#d9cdb8', '#c8d0cc', '#e3c9b5']),
        shop: i % 2 === 0,
        roof: false,
        litRatio: night ? 0.4 : 0,
      });
    }
    kit.post('metal', [2.6, 0, -2.2], 0.05, 0.05, 0.95, '#24282b');
    kit.post('metal', [-2.9, 0, -2.2], 0.05, 0.05, 0.95, '#24282b');
    tree(kit, 5.6, -2.1, 5.2, 1.5, { leaves: 1500 });
    streetLamp(kit, places.pavement.streetLampAt);
    pot(kit, -1.15, -0.35, 0.4);
  },
  woods(kit, night) {
    kit.ground('soil', -45, -60, 45, 3, -0.03);
    kit.quad('gravel', [-0.5, 0, -1], [1.6, 0, 0], [-1.4, 0, -7], '#cdbfa5');
    kit.quad('gravel', [-1.9, 0, -8], [1.7, 0, 0], [-2.2, 0, -9], '#c4b59a');
    kit.ground('planks', -2.6, -1.1, 2.6, 0.5, 0.01);
    porchPosts(kit, [-1.75, 2.1], -1.05, 2.65, '#7a6248');
    railing(kit, [2.5, 0, -1.08], 1.4, 0.9, '#6a5844');
    const { random } = kit;
    for (let i = 0; i < 34; i++) {
      const z = -between(random, 4.5, 32);
      const side = random() < 0.5 ? -1 : 1;
      const x = side * between(random, 2.2, 4 - z * 0.7) - 0.12 * -z;
      tree(kit, x, z, between(random, 6, 12), between(random, 1.4, 2.6), {
        leaves: i < 10 ? 700 : 260,
        hue: between(random, 0.17, 0.28),
      });
    }
    for (let i = 0; i < 9; i++)
      bush(
        kit,
        (random() < 0.5 ? -1 : 1) * between(random, 2.4, 7),
        -between(random, 3.5, 13),
        between(random, 0.3, 0.6),
        between(random, 0.2, 0.3),
      );
    house(kit, 14, -38, 9, 1, { surface: 'planks', tone: '#a5886a', litRatio: night ? 0.6 : 0 });
    streetLamp(kit, places.woods.streetLampAt);
  },
};

export function buildScenery(plan: StreamPlan): Scenery {
  const kit = new Kit(
    fork(plan.seed, 'place'),
    plan.camera?.heightM ?? places[plan.place].camera.heightM,
    plan.ground === 'snow',
  );
  const night = plan.light !== 'day';
  builders[plan.place](kit, night);
  const cloudy = plan.ground !== 'dry' || plan.tags.includes('clouds');
  const sky = makeSky(plan.light === 'ir' ? 'night' : plan.light === 'day' ? 'day' : 'dusk', cloudy, kit.random);
  const dome = new Mesh(skyDome(), sky);
  dome.name = 'sky';
  return kit.finish(dome);
}
