" SPDX-License-Identifier: GPL-2.0-only
" Vim syntax file
" Language: ublkpol, a policy language for block devices
if exists('b:current_syntax')
	finish
endif

syntax case match

syntax match ublkpolComment /#.*$/ contains=ublkpolTodo,@Spell
syntax keyword ublkpolTodo TODO FIXME XXX contained
syntax region ublkpolString start=/"/ end=/"/ oneline

syntax keyword ublkpolDeclaration backend block param set include language from
syntax keyword ublkpolDefault default
syntax keyword ublkpolCondition LBA aligned prio queue cpu chance every end
syntax keyword ublkpolOperator not or
syntax keyword ublkpolOperation read flush discard
syntax match ublkpolOperation /\<write\>/
syntax match ublkpolOperation /\<write-zeroes\>/
syntax keyword ublkpolFlag fua meta sync readahead swap nounmap idle failfast
syntax keyword ublkpolAction stripe concat mirror hash zero drop error user
syntax keyword ublkpolReadChoice first by degrade
syntax match ublkpolReadChoice /\<round-robin\>/
syntax keyword ublkpolModifier count trace delay limit

" A declaration where a statement begins, else a condition
syntax match ublkpolCondition /\<size\>/
syntax match ublkpolDeclaration /\%(^\|;\)\s*\zssize\>/

syntax match ublkpolLabel /^\s*\zs\h\w*\ze\s*:/
syntax match ublkpolParameter /\$\h\w*/
syntax match ublkpolArrow /->/
syntax match ublkpolComparison /[<>]=\?\|[!=]=/
syntax match ublkpolAt /@/
syntax match ublkpolErrno /\<E[A-Z0-9]\+\>/
syntax match ublkpolNumber /\<\d\+\(\.\d\+\)\?\>/
syntax match ublkpolNumber /\<\d\+\(\.\d\+\)\?%/
syntax match ublkpolNumber /\<\d\+\(\.\d\+\)\?\([KMGT]\?iB\|B\)\(\/s\)\?\>/
syntax match ublkpolNumber /\<\d\+\(\.\d\+\)\?\(ns\|us\|ms\|s\|iops\)\>/
" What looks like a unit and is none
syntax match ublkpolBadUnit /\<\d\+\(\.\d\+\)\?\([kKmMgGtT]B\?\|[kmgt]iB\)\>/

highlight default link ublkpolComment Comment
highlight default link ublkpolTodo Todo
highlight default link ublkpolString String
highlight default link ublkpolDeclaration Keyword
highlight default link ublkpolDefault Keyword
highlight default link ublkpolCondition Conditional
highlight default link ublkpolOperator Operator
highlight default link ublkpolOperation Type
highlight default link ublkpolFlag Type
highlight default link ublkpolAction Statement
highlight default link ublkpolReadChoice Statement
highlight default link ublkpolModifier PreProc
highlight default link ublkpolLabel Label
highlight default link ublkpolParameter Identifier
highlight default link ublkpolArrow Operator
highlight default link ublkpolComparison Operator
highlight default link ublkpolAt Operator
highlight default link ublkpolErrno Constant
highlight default link ublkpolNumber Number
highlight default link ublkpolBadUnit Error

let b:current_syntax = 'ublkpol'
