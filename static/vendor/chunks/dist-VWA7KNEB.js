import{a,b,c,d}from"./chunk-F2EUC74Q.js";import"./chunk-N3WOUTYU.js";import"./chunk-WTRTU4YG.js";export{d as css,b as cssCompletionSource,c as cssLanguage,a as defineCSSCompletionSource};
