mod live;
mod restart;
mod rig;
mod rotation;
