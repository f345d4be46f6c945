// Plain shapes that stand in for an actor until it is drawn properly.

import type { BufferGeometry } from 'three';
import { BufferAttribute, Group, Mesh, MeshLambertMaterial, Vector3 } from 'three';
import type { Actor, ActorKind, Placement } from './actor.ts';

export function createStandIn(kind: ActorKind, what: string, geometry: BufferGeometry, tone: string): Actor {
  const object = new Group();
  const material = new MeshLambertMaterial({ color: tone });
  const mesh = new Mesh(geometry, material);
  mesh.castShadow = true;
  mesh.receiveShadow = true;
  object.add(mesh);
  return {
    kind,
    what,
    object,
    pose(p: Placement) {
      object.position.set(p.xM, p.yM ?? 0, p.zM);
      object.rotation.y = p.headingRad;
    },
    setLight() {},
    samplePoints() {
      object.updateMatrixWorld(true);
      const position = geometry.getAttribute('position') as BufferAttribute;
      const out = new Float32Array(position.count * 3);
      const v = new Vector3();
      for (let i = 0; i < position.count; i++)
        v.fromBufferAttribute(position, i)
          .applyMatrix4(mesh.matrixWorld)
          .toArray(out, 3 * i);
      return out;
    },
    dispose() {
      geometry.dispose();
      material.dispose();
    },
  };
}
