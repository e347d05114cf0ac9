mod clocks;
mod connectivity;
mod measurement;
mod memory;
mod rig;
mod sending;
mod validation;
mod windows;
