"""What must hold of a circuit without blocks: its structure, order and shapes. One file a concern.

A check is a generator of what is wrong, each problem with its place in the file; it changes nothing. `build_graph`
calls them, and raises at once what those of one stage found. In its order: `populations` (with `outputs` and
`partners`), `projections` (with `reverses` and `ties`), `cross_projections`, `modes` and `parameters`, by names alone;
`order`; then `shapes` and `geometries`, and what can be judged by these: `outputs` and `weights` (with `ties`); last
`initials`. All start from what the circuit declares (`declared`).
"""
