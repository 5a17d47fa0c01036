import{a,b,c,d}from"./chunk-O72A5PA7.js";import"./chunk-WOIRLC26.js";import"./chunk-BNS5ZVUH.js";export{d as css,b as cssCompletionSource,c as cssLanguage,a as defineCSSCompletionSource};
