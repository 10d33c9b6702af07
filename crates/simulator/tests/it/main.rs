//! What the mesh publishes, judged from outside.

mod capture;
mod mesh;
