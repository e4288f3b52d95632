//! A graphics device that has a queue of commands and nothing else.

use std::collections::VecDeque;
use std::ffi::{c_int, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{ptr, thread};

use crate::arena::{ADDRESS_BITS, Arena, Block, GENERATION, SLOT_ID};
use crate::ffi::{
    self, BaseInterface, CommandExt, InitInfo, MemSlot, QxlInstance, QxlInterface, QxlRect, ReleaseInfoExt,
    SurfaceCreate,
};
use crate::scene::{SURFACES, SurfaceSpec};
use crate::server::Mode;

/// The device. The library's instance is its first field, so that callbacks find the rest.
#[repr(C)]
pub(crate) struct Device {
    instance: QxlInstance,
    interface: QxlInterface,
    server: *mut c_void,
    shared: Mutex<Shared>,
}

struct Shared {
    arena: Arena,
    queue: VecDeque<CommandExt>,
    cursors: VecDeque<CommandExt>,
    /// The primary surface that exists when the library attaches.
    first: SurfaceSpec,
    primary: usize,
    /// The library's thread that takes commands.
    worker: Option<libc::pthread_t>,
}

/// Kinds of commands in the ring.
const DRAW: u32 = 1;
const CURSOR: u32 = 3;
const SURFACE: u32 = 5;

/// A device for use by several threads: its fields are behind a lock, and the library's calls made with it are those
/// that may come from any thread.
#[derive(Clone, Copy)]
pub(crate) struct Handle(&'static Device);

// SAFETY: see `Handle`.
unsafe impl Send for Handle {}

impl Handle {
    /// Adds a device of this number, with this primary surface, to a server. It lives as long as the process.
    pub(crate) fn attach(server: *mut c_void, id: u8, first: SurfaceSpec) -> Result<Self, String> {
        let mut arena = Arena::new();
        let primary = arena.take(first.bytes()).ok_or("no room for the primary surface")?;
        let (queue, cursors) = (VecDeque::new(), VecDeque::new());
        let shared = Mutex::new(Shared { arena, queue, cursors, first, primary, worker: None });
        let instance = QxlInstance { interface: ptr::null(), id: id.into(), state: ptr::null_mut() };
        let device: *mut Device =
            Box::leak(Box::new(Device { instance, interface: INTERFACE, server, shared }));
        // SAFETY: the device was just leaked and nobody else knows it yet.
        let added = unsafe {
            (*device).instance.interface = &raw const (*device).interface;
            ffi::spice_server_add_interface(server, &raw mut (*device).instance)
        };
        if added != 0 {
            return Err("the library does not take the device".into());
        }
        // SAFETY: from here on the device is only read, but for the library's own field of the instance.
        Ok(Self(unsafe { &*device }))
    }

    fn instance(&self) -> *mut QxlInstance {
        (&raw const self.0.instance).cast_mut()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a drawing command.
    pub(crate) fn draw(&self, block: Block) -> Result<(), String> {
        self.push(DRAW, block)
    }

    /// Queues a command of the pointer, 150 bytes and what they point to.
    pub(crate) fn pointer(&self, block: Block) -> Result<(), String> {
        let command = self.place(CURSOR, block)?;
        self.lock().cursors.push_back(command);
        self.wake();
        Ok(())
    }

    /// Where the primary surface lies.
    pub(crate) fn primary(&self) -> usize {
        self.lock().primary
    }

    /// Queues the creation of an off-screen surface, and returns where its pixels lie.
    pub(crate) fn create_surface(&self, spec: &SurfaceSpec) -> Result<usize, String> {
        let pixels = self.take(spec.bytes())?;
        let mut command = [0; 41];
        command[8..12].copy_from_slice(&spec.id.to_le_bytes());
        for (field, value) in
            [spec.format.number(), spec.width, spec.height, spec.stride() as u32].into_iter().enumerate()
        {
            command[17 + 4 * field..21 + 4 * field].copy_from_slice(&value.to_le_bytes());
        }
        command[33..41].copy_from_slice(&Arena::address(pixels).to_le_bytes());
        let mut block = Block::default();
        block.put(&command);
        self.push(SURFACE, block)?;
        Ok(pixels)
    }

    /// Queues the destruction of an off-screen surface. Its memory can be given back when the device is idle.
    pub(crate) fn destroy_surface(&self, id: u32) -> Result<(), String> {
        let mut command = [0; 41];
        command[8..12].copy_from_slice(&id.to_le_bytes());
        command[12] = 1;
        let mut block = Block::default();
        block.put(&command);
        self.push(SURFACE, block)
    }

    /// Replaces the primary surface.
    pub(crate) fn replace_primary(&self, spec: &SurfaceSpec) -> Result<usize, String> {
        let old = self.lock().primary;
        // SAFETY: the instance is attached, and this is not a callback.
        unsafe { ffi::spice_qxl_destroy_primary_surface(self.instance(), 0) };
        self.lock().arena.give_back(old);
        let pixels = self.take(spec.bytes())?;
        self.lock().primary = pixels;
        create_primary(self.instance(), spec, pixels);
        Ok(pixels)
    }

    /// Has the library compress images in another way from now on. Only while nothing is queued.
    pub(crate) fn compress(&self, mode: Mode) {
        // SAFETY: the server is the one that the device was added to.
        unsafe { ffi::spice_server_set_image_compression(self.0.server, mode.compression()) };
    }

    /// What the library's thread for this device, which encodes its images, has taken of a processor so far.
    pub(crate) fn worker_time(&self) -> Result<Duration, String> {
        let worker = self.lock().worker.ok_or("no command was taken yet")?;
        let mut clock = 0;
        // SAFETY: the thread lives as long as the device, which is never removed.
        match unsafe { libc::pthread_getcpuclockid(worker, &raw mut clock) } {
            0 => crate::clock::read(clock),
            error => Err(format!("no clock of the worker: {error}")),
        }
    }

    /// Wakes the library up to look at the queue.
    pub(crate) fn wake(&self) {
        // SAFETY: the instance is attached.
        unsafe { ffi::spice_qxl_wakeup(self.instance()) };
    }

    /// Forgets the images that the library keeps for drawing.
    pub(crate) fn reset_image_cache(&self) {
        // SAFETY: the instance is attached, and this is not a callback.
        unsafe { ffi::spice_qxl_reset_image_cache(self.instance()) };
    }

    /// Lets the library draw everything that is queued for a surface.
    pub(crate) fn update(&self, spec: &SurfaceSpec) {
        let mut area = QxlRect { top: 0, left: 0, bottom: spec.height as i32, right: spec.width as i32 };
        // SAFETY: the instance is attached, the rectangle lives across the call, and this is not a callback.
        unsafe {
            ffi::spice_qxl_update_area(self.instance(), spec.id, &raw mut area, ptr::null_mut(), 0, 1);
        }
    }

    /// The bytes of a surface, top row first, without padding. Only after [`update`](Self::update).
    pub(crate) fn pixels(&self, spec: &SurfaceSpec, at: usize) -> Vec<u8> {
        let mut memory = vec![0; spec.bytes()];
        self.lock().arena.read(at, &mut memory);
        let (row, stride) = (spec.row_bytes(), spec.stride().unsigned_abs() as usize);
        let rows = memory.chunks_exact(stride).map(|line| &line[..row]);
        if spec.bottom_up {
            rows.rev().flatten().copied().collect()
        } else {
            rows.flatten().copied().collect()
        }
    }

    /// Gives memory back.
    pub(crate) fn give_back(&self, at: usize) {
        self.lock().arena.give_back(at);
    }

    fn push(&self, kind: u32, block: Block) -> Result<(), String> {
        let command = self.place(kind, block)?;
        self.lock().queue.push_back(command);
        Ok(())
    }

    /// Puts a command into the device's memory.
    fn place(&self, kind: u32, block: Block) -> Result<CommandExt, String> {
        let at = self.take(block.len())?;
        self.lock().arena.write(at, &block.place(at));
        Ok(CommandExt { data: Arena::address(at), kind, padding: 0, group: 0, flags: 0 })
    }

    /// Takes memory, and waits for some to come back if need be.
    fn take(&self, len: usize) -> Result<usize, String> {
        let started = Instant::now();
        loop {
            if let Some(at) = self.lock().arena.take(len) {
                return Ok(at);
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("no {len} bytes of device memory came free within {PATIENCE:?}"));
            }
            self.wake();
            // SAFETY: the instance is attached, and this is not a callback.
            unsafe { ffi::spice_qxl_oom(self.instance()) };
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// How long to wait for memory.
const PATIENCE: Duration = Duration::from_secs(30);

fn create_primary(instance: *mut QxlInstance, spec: &SurfaceSpec, pixels: usize) {
    let stride = spec.stride();
    let mut create = SurfaceCreate {
        width: spec.width,
        height: spec.height,
        stride,
        format: spec.format.number(),
        position: 0,
        mouse_mode: 1,
        flags: 0,
        kind: 0,
        mem: Arena::address(pixels),
        group: 0,
    };
    // SAFETY: the instance is attached, and the memory of the surface was taken for it.
    unsafe { ffi::spice_qxl_create_primary_surface(instance, 0, &raw mut create) };
}

/// The device that a callback is about.
fn device(instance: *mut QxlInstance) -> &'static Device {
    // SAFETY: the library hands back the instance that it was given, which is the first field of a leaked device.
    unsafe { &*instance.cast::<Device>() }
}

fn shared(instance: *mut QxlInstance) -> MutexGuard<'static, Shared> {
    device(instance).shared.lock().unwrap_or_else(PoisonError::into_inner)
}

const INTERFACE: QxlInterface = QxlInterface {
    base: BaseInterface { kind: c"qxl".as_ptr(), description: c"queue".as_ptr(), major: 3, minor: 3 },
    attached_worker,
    set_compression_level,
    set_mm_time: None,
    get_init_info,
    get_command,
    req_cmd_notification,
    release_resource,
    get_cursor_command,
    req_cursor_notification,
    notify_update,
    flush_resources,
    async_complete,
    update_area_complete,
    set_client_capabilities: None,
    client_monitors_config: None,
};

extern "C" fn attached_worker(instance: *mut QxlInstance) {
    let (start, end, size, first, primary) = {
        let shared = shared(instance);
        let (start, end) = shared.arena.range();
        (start, end, shared.arena.size(), shared.first, shared.primary)
    };
    let mut slot = MemSlot {
        group: 0,
        id: SLOT_ID,
        generation: GENERATION,
        virt_start: start,
        virt_end: end,
        addr_delta: start as u64,
        ram_size: size,
    };
    // SAFETY: the library has just attached the instance; the range is memory that lives as long as the process.
    unsafe { ffi::spice_qxl_add_memslot(instance, &raw mut slot) };
    create_primary(instance, &first, primary);
    // SAFETY: the server is the one that the device was added to.
    unsafe { ffi::spice_server_vm_start(device(instance).server) };
}

extern "C" fn set_compression_level(_: *mut QxlInstance, _: c_int) {}

extern "C" fn get_init_info(instance: *mut QxlInstance, info: *mut InitInfo) {
    let ram_size = shared(instance).arena.size();
    let value = InitInfo {
        groups: 1,
        slots: 2,
        generation_bits: ADDRESS_BITS,
        id_bits: ADDRESS_BITS,
        ram_size,
        internal_group: 0,
        surfaces: SURFACES,
    };
    // SAFETY: the library passes a structure to be filled in.
    unsafe { info.write(value) };
}

extern "C" fn get_command(instance: *mut QxlInstance, command: *mut CommandExt) -> c_int {
    let mut shared = shared(instance);
    // SAFETY: cannot fail.
    shared.worker.get_or_insert_with(|| unsafe { libc::pthread_self() });
    hand_over(shared.queue.pop_front(), command)
}

fn hand_over(next: Option<CommandExt>, command: *mut CommandExt) -> c_int {
    let Some(next) = next else { return 0 };
    // SAFETY: the library passes a structure to be filled in.
    unsafe { command.write(next) };
    1
}

extern "C" fn req_cmd_notification(instance: *mut QxlInstance) -> c_int {
    c_int::from(shared(instance).queue.is_empty())
}

extern "C" fn release_resource(instance: *mut QxlInstance, release: ReleaseInfoExt) {
    shared(instance).arena.give_back_address(release.info as usize);
}

extern "C" fn get_cursor_command(instance: *mut QxlInstance, command: *mut CommandExt) -> c_int {
    hand_over(shared(instance).cursors.pop_front(), command)
}

extern "C" fn req_cursor_notification(instance: *mut QxlInstance) -> c_int {
    c_int::from(shared(instance).cursors.is_empty())
}

extern "C" fn notify_update(_: *mut QxlInstance, _: u32) {}

extern "C" fn flush_resources(_: *mut QxlInstance) -> c_int {
    0
}

extern "C" fn async_complete(_: *mut QxlInstance, _: u64) {}

extern "C" fn update_area_complete(_: *mut QxlInstance, _: u32, _: *mut QxlRect, _: u32) {}
