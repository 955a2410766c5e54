//! Trampolines: functions that call the fast path of an import, and the import itself if the fast path does not apply.
//!
//! PERF: for every call of an import that may suspend, the engine boxes a future, even if the call is ready at once, as
//! nearly all calls of `sock_recv` and `sock_send` are. These imports therefore have two definitions. The plain one
//! serves the call if that is possible at once, and otherwise returns [`NOT_TAKEN`], having done nothing. The other one
//! may suspend. The guest imports a function of a module that is made here.
//! `docs/decisions/0035-shortcuts-for-recv-and-send.md` has the figures.

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    TypeSection, ValType,
};
use wasmtime::{Extern, Linker, Module, Store};

use crate::p1::abi::{self, MODULE, NOT_TAKEN};
use crate::p1::state::State;

/// An instance of the module, whose exports have the names of [`abi::fast`].
pub(crate) async fn instantiate(
    module: &Module,
    host: &Linker<State>,
    store: &mut Store<State>,
) -> wasmtime::Result<wasmtime::Instance> {
    let imports = module.imports().map(|import| host.get(&mut *store, MODULE, import.name()));
    let imports: Vec<Extern> = imports.collect::<wasmtime::Result<_>>()?;
    wasmtime::Instance::new_async(store, module, &imports).await
}

/// Returns the module, not compiled yet.
pub(crate) fn module() -> Vec<u8> {
    let mut types = TypeSection::new();
    let mut imports = ImportSection::new();
    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    let fast: Vec<_> = abi::fast().collect();
    for (index, (key, fast_path, params)) in (0_u32..).zip(&fast) {
        let (ty, first) = (index, 2 * index);
        types.ty().function(vec![ValType::I32; *params], [ValType::I32]);
        imports.import(MODULE, fast_path, EntityType::Function(ty));
        imports.import(MODULE, key, EntityType::Function(ty));
        functions.function(ty);
        exports.export(key, ExportKind::Func, 2 * fast.len() as u32 + index);
        let result = *params as u32;
        let mut body = Function::new([(1, ValType::I32)]);
        let mut code_of = body.instructions();
        let pass = |code: &mut wasm_encoder::InstructionSink<'_>| {
            (0..result).for_each(|param| {
                code.local_get(param);
            });
        };
        pass(&mut code_of);
        code_of.call(first).local_tee(result).i32_const(NOT_TAKEN).i32_eq();
        code_of.if_(wasm_encoder::BlockType::Empty);
        pass(&mut code_of);
        code_of.call(first + 1).local_set(result).end().local_get(result).end();
        code.function(&body);
    }
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    module.finish()
}
