//! What of libspice-server's C interface is used, and the layouts it works with, for 64-bit little-endian machines.

use std::ffi::{c_char, c_int, c_void};

/// Head of every interface: its type, a description, and the version of its layout.
#[repr(C)]
pub(crate) struct BaseInterface {
    pub(crate) kind: *const c_char,
    pub(crate) description: *const c_char,
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

pub(crate) type TimerFunc = extern "C" fn(*mut c_void);
pub(crate) type WatchFunc = extern "C" fn(c_int, c_int, *mut c_void);

/// The event loop that the library is given.
#[repr(C)]
pub(crate) struct CoreInterface {
    pub(crate) base: BaseInterface,
    pub(crate) timer_add: extern "C" fn(TimerFunc, *mut c_void) -> *mut c_void,
    pub(crate) timer_start: extern "C" fn(*mut c_void, u32),
    pub(crate) timer_cancel: extern "C" fn(*mut c_void),
    pub(crate) timer_remove: extern "C" fn(*mut c_void),
    pub(crate) watch_add: extern "C" fn(c_int, c_int, WatchFunc, *mut c_void) -> *mut c_void,
    pub(crate) watch_update_mask: extern "C" fn(*mut c_void, c_int),
    pub(crate) watch_remove: extern "C" fn(*mut c_void),
    pub(crate) channel_event: Option<extern "C" fn(c_int, *mut c_void)>,
}

/// A graphics device; `state` is the library's own.
#[repr(C)]
pub(crate) struct QxlInstance {
    pub(crate) interface: *const QxlInterface,
    pub(crate) id: c_int,
    pub(crate) state: *mut c_void,
}

/// What the library asks of a graphics device.
#[repr(C)]
pub(crate) struct QxlInterface {
    pub(crate) base: BaseInterface,
    pub(crate) attached_worker: extern "C" fn(*mut QxlInstance),
    pub(crate) set_compression_level: extern "C" fn(*mut QxlInstance, c_int),
    pub(crate) set_mm_time: Option<extern "C" fn(*mut QxlInstance, u32)>,
    pub(crate) get_init_info: extern "C" fn(*mut QxlInstance, *mut InitInfo),
    pub(crate) get_command: extern "C" fn(*mut QxlInstance, *mut CommandExt) -> c_int,
    pub(crate) req_cmd_notification: extern "C" fn(*mut QxlInstance) -> c_int,
    pub(crate) release_resource: extern "C" fn(*mut QxlInstance, ReleaseInfoExt),
    pub(crate) get_cursor_command: extern "C" fn(*mut QxlInstance, *mut CommandExt) -> c_int,
    pub(crate) req_cursor_notification: extern "C" fn(*mut QxlInstance) -> c_int,
    pub(crate) notify_update: extern "C" fn(*mut QxlInstance, u32),
    pub(crate) flush_resources: extern "C" fn(*mut QxlInstance) -> c_int,
    pub(crate) async_complete: extern "C" fn(*mut QxlInstance, u64),
    pub(crate) update_area_complete: extern "C" fn(*mut QxlInstance, u32, *mut QxlRect, u32),
    pub(crate) set_client_capabilities: Option<extern "C" fn(*mut QxlInstance, u8, *mut u8)>,
    pub(crate) client_monitors_config: Option<extern "C" fn(*mut QxlInstance, *mut c_void) -> c_int>,
}

/// The shape of a device's memory.
#[repr(C)]
pub(crate) struct InitInfo {
    pub(crate) groups: u32,
    pub(crate) slots: u32,
    pub(crate) generation_bits: u8,
    pub(crate) id_bits: u8,
    pub(crate) ram_size: u32,
    pub(crate) internal_group: u8,
    pub(crate) surfaces: u32,
}

/// A range of device memory.
#[repr(C)]
pub(crate) struct MemSlot {
    pub(crate) group: u32,
    pub(crate) id: u32,
    pub(crate) generation: u32,
    pub(crate) virt_start: usize,
    pub(crate) virt_end: usize,
    pub(crate) addr_delta: u64,
    pub(crate) ram_size: u32,
}

/// A new primary surface.
#[repr(C)]
pub(crate) struct SurfaceCreate {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) stride: i32,
    pub(crate) format: u32,
    pub(crate) position: u32,
    pub(crate) mouse_mode: u32,
    pub(crate) flags: u32,
    pub(crate) kind: u32,
    pub(crate) mem: u64,
    pub(crate) group: u32,
}

/// A command of the device's ring.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommandExt {
    pub(crate) data: u64,
    pub(crate) kind: u32,
    pub(crate) padding: u32,
    pub(crate) group: u32,
    pub(crate) flags: u32,
}

/// A command that the library is done with, by the address of its first field.
#[repr(C)]
pub(crate) struct ReleaseInfoExt {
    pub(crate) info: *mut u64,
    pub(crate) group: u32,
}

/// A rectangle as devices write it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct QxlRect {
    pub(crate) top: i32,
    pub(crate) left: i32,
    pub(crate) bottom: i32,
    pub(crate) right: i32,
}

#[link(name = "spice-server")]
unsafe extern "C" {
    pub(crate) fn spice_server_new() -> *mut c_void;
    pub(crate) fn spice_server_set_addr(server: *mut c_void, address: *const c_char, flags: c_int);
    pub(crate) fn spice_server_set_port(server: *mut c_void, port: c_int) -> c_int;
    pub(crate) fn spice_server_set_noauth(server: *mut c_void) -> c_int;
    pub(crate) fn spice_server_set_image_compression(server: *mut c_void, value: c_int) -> c_int;
    pub(crate) fn spice_server_set_jpeg_compression(server: *mut c_void, value: c_int) -> c_int;
    pub(crate) fn spice_server_set_zlib_glz_compression(server: *mut c_void, value: c_int) -> c_int;
    pub(crate) fn spice_server_set_streaming_video(server: *mut c_void, value: c_int) -> c_int;
    pub(crate) fn spice_server_init(server: *mut c_void, core: *mut CoreInterface) -> c_int;
    pub(crate) fn spice_server_add_interface(server: *mut c_void, instance: *mut QxlInstance) -> c_int;
    pub(crate) fn spice_server_vm_start(server: *mut c_void);

    pub(crate) fn spice_qxl_wakeup(device: *mut QxlInstance);
    pub(crate) fn spice_qxl_oom(device: *mut QxlInstance);
    pub(crate) fn spice_qxl_reset_image_cache(device: *mut QxlInstance);
    pub(crate) fn spice_qxl_add_memslot(device: *mut QxlInstance, slot: *mut MemSlot);
    pub(crate) fn spice_qxl_create_primary_surface(
        device: *mut QxlInstance,
        id: u32,
        surface: *mut SurfaceCreate,
    );
    pub(crate) fn spice_qxl_destroy_primary_surface(device: *mut QxlInstance, id: u32);
    pub(crate) fn spice_qxl_update_area(
        device: *mut QxlInstance,
        surface: u32,
        area: *mut QxlRect,
        dirty: *mut QxlRect,
        dirty_count: u32,
        clear_dirty: u32,
    );
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use super::*;

    #[test]
    fn layouts_have_the_sizes_that_the_library_expects() {
        assert_eq!(size_of::<BaseInterface>(), 24);
        assert_eq!(size_of::<CoreInterface>(), 88);
        assert_eq!(size_of::<QxlInstance>(), 24);
        assert_eq!(size_of::<QxlInterface>(), 144);
        assert_eq!(size_of::<InitInfo>(), 24);
        assert_eq!(size_of::<MemSlot>(), 48);
        assert_eq!(size_of::<SurfaceCreate>(), 48);
        assert_eq!(size_of::<CommandExt>(), 24);
        assert_eq!(size_of::<ReleaseInfoExt>(), 16);
    }
}
