mod cover;
mod faults;
mod network;
mod words;
