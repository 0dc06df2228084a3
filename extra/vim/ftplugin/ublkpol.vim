" SPDX-License-Identifier: GPL-2.0-only
" gq formats the whole policy, :make compiles it and jumps to the first message
if exists('b:did_ftplugin')
	finish
endif
let b:did_ftplugin = 1

setlocal commentstring=#\ %s comments=:#
setlocal formatprg=ublkpolc\ --fmt\ -
setlocal makeprg=ublkpolc\ --check\ %:S
setlocal errorformat=%f:%l:%c:\ %trror:\ %m,%f:%l:%c:\ %tarning:\ %m,%f:\ %trror:\ %m,%-G%.%#

let b:undo_ftplugin = 'setlocal commentstring< comments< formatprg< makeprg< errorformat<'
